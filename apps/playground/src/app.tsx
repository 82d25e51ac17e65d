import { useSignalEffect } from "@preact/signals";
import { fromAddress, toAddress } from "./configuration";
import { ExpertLoad } from "./panels/expert-load";
import { LossChart } from "./panels/loss-chart";
import { Progress } from "./panels/progress";
import { Sample } from "./panels/sample";
import { Setup } from "./panels/setup";
import { configuration } from "./training/run";
import { missingWebGpu } from "./web-gpu";

configuration.value = fromAddress(location.hash);
addEventListener("hashchange", () => {
  configuration.value = fromAddress(location.hash);
});

export function App() {
  useSignalEffect(() => {
    const address = toAddress(configuration.value);
    history.replaceState(null, "", address ? `#${address}` : location.pathname + location.search);
  });
  const missing = missingWebGpu();
  return (
    <>
      <header>
        <h1>webmoe</h1>
        <p>A sparse mixture-of-experts language model, trained here, in this page, on your GPU.</p>
      </header>
      {missing ? (
        <main>
          <section class="card notice" role="alert">
            <h2>{missing.what}</h2>
            <p>{missing.todo}</p>
          </section>
        </main>
      ) : (
        <main class="columns">
          <Setup />
          <div class="results">
            <Progress />
            <LossChart />
            <ExpertLoad />
            <Sample />
          </div>
        </main>
      )}
    </>
  );
}
