import { useRef } from "preact/hooks";
import { checkCode, checked, code } from "../state/code";
import { codeFromAddress } from "../state/run";

/** Where a visitor writes a router: lines with numbers, a check, and its verdict at the line. */
export function CodeEditor() {
  const numbers = useRef<HTMLOListElement>(null);
  const result = checked.value;
  const now = result.kind === "faulty" || result.kind === "sound" ? result.code === code.value : true;
  const fault = result.kind === "faulty" && now ? result.fault : undefined;
  const lines = code.value.split("\n").length;
  return (
    <section class="code" aria-label="Router code">
      {codeFromAddress.value && (
        <p class="warning" role="note">
          This code came with the address: someone else may have written it. Read it before you train.
        </p>
      )}
      <div class="editor">
        <ol ref={numbers} aria-hidden="true">
          {Array.from({ length: lines }, (_, index) => (
            <li key={String(index)} class={fault?.line === index + 1 ? "fault" : ""} />
          ))}
        </ol>
        <textarea
          aria-label="Code of the router"
          aria-invalid={fault !== undefined}
          aria-describedby="code-verdict"
          spellcheck={false}
          autocapitalize="off"
          wrap="off"
          rows={Math.min(24, Math.max(12, lines + 1))}
          value={code.value}
          onScroll={({ currentTarget }) => {
            numbers.current!.scrollTop = currentTarget.scrollTop;
          }}
          onInput={({ currentTarget }) => {
            code.value = currentTarget.value;
            codeFromAddress.value = false;
          }}
          onKeyDown={indent}
        />
      </div>
      <p id="code-verdict" role="status" class={fault ? "fault" : result.kind === "sound" && now ? "sound" : ""}>
        {!now && "Changed since the last check."}
        {now && result.kind === "checking" && "Checking …"}
        {now && result.kind === "sound" && `“${result.name}” keeps the contract of routers.`}
        {fault && `${fault.line === undefined ? "" : `Line ${fault.line}: `}${fault.message}`}
        {now && result.kind === "unchecked" && "TypeScript; the default export makes the router."}
      </p>
      <button type="button" disabled={result.kind === "checking"} onClick={() => void checkCode()}>
        Check
      </button>
    </section>
  );
}

/** Tab indents; after Escape it leaves the field, as everywhere. */
function indent(event: KeyboardEvent & { currentTarget: HTMLTextAreaElement }): void {
  const field = event.currentTarget;
  if (event.key === "Escape") field.dataset.leave = "yes";
  else if (event.key !== "Tab") delete field.dataset.leave;
  if (event.key !== "Tab" || event.shiftKey || field.dataset.leave) return;
  event.preventDefault();
  field.setRangeText("  ", field.selectionStart, field.selectionEnd, "end");
  code.value = field.value;
}
