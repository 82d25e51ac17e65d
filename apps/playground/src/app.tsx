import { LoadPanel } from "./panels/load-panel";
import { LossPanel } from "./panels/loss-panel";
import { ProblemNotice } from "./panels/problem-notice";
import { RacePanel } from "./panels/race-panel";
import { ReaderPanel } from "./panels/reader-panel";
import { RoutingPanel } from "./panels/routing-panel";
import { RunBar, RunNote } from "./panels/run-bar";
import { RunsPanel } from "./panels/runs-panel";
import { SamplePanel } from "./panels/sample-panel";
import { WriterPanel } from "./panels/writer-panel";
import { Setup } from "./setup/setup";
import { askAdapter, missing } from "./state/web-gpu";

void askAdapter();

/** The page. */
export function App() {
  return (
    <>
      <header>
        <h1>webmoe</h1>
        <p>Watch experts specialise while a mixture-of-experts model trains in your browser.</p>
        <nav aria-label="About">
          <a href="https://github.com/webmoe/webmoe/blob/main/docs/concepts.md">What is this?</a>
          <a href="https://github.com/webmoe/webmoe">Source</a>
        </nav>
      </header>
      {missing.value ? (
        <main>
          <section class="card problem" role="alert">
            <h2>{missing.value.what}</h2>
            <p>{missing.value.todo}</p>
          </section>
        </main>
      ) : (
        <main class="columns">
          <Setup />
          <div class="results">
            <ProblemNotice />
            <RunBar />
            <RunNote />
            <LossPanel />
            <RacePanel />
            <LoadPanel />
            <ReaderPanel />
            <RoutingPanel />
            <SamplePanel />
            <WriterPanel />
            <RunsPanel />
          </div>
        </main>
      )}
    </>
  );
}
