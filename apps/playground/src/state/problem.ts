/** Something that went wrong, as a visitor needs to hear it. */
export interface Problem {
  what: string;
  todo: string;
  /** The error itself, for those who want to know. */
  detail?: string;
}

/** What went wrong in a run and what to do about it; `kept` is the step that the last checkpoint is of. */
export function problemOf(error: Error, kept: number | undefined): Problem {
  const safe = kept
    ? `Everything up to step ${kept} is kept: go on from there with “Go on”.`
    : "Nothing was kept yet: train again.";
  const { message } = error;
  if (error.name === "DeviceLostError" || /device (was )?lost/i.test(message)) {
    return { what: "The GPU went away", todo: `The driver was reset, or the computer slept. ${safe}`, detail: message };
  }
  if (error.name === "OutOfMemoryError" || /out of memory|allocation/i.test(message)) {
    return {
      what: "The GPU has no room for this",
      todo: `Take a smaller batch, a shorter context or fewer experts, and close other tabs. ${kept ? safe : ""}`,
      detail: message,
    };
  }
  if (/quota|QuotaExceeded/i.test(`${error.name} ${message}`)) {
    return {
      what: "The browser's storage is full",
      todo: `Export runs and forget them below. ${safe}`,
      detail: message,
    };
  }
  if (/no WebGPU adapter|needs WebGPU/.test(message)) {
    return {
      what: "No GPU answers",
      todo: "WebGPU is on offer, but no adapter: update the graphics driver, or see chrome://gpu for why it is off.",
      detail: message,
    };
  }
  if (/^the worker/.test(message)) return { what: "The training worker broke", todo: safe, detail: message };
  if (/^train: the loss is/.test(message)) {
    return {
      what: "Training diverged",
      todo: `Lower the learning rate or raise the warm-up. ${kept ? safe : ""}`,
      detail: message,
    };
  }
  return { what: "The run stopped", todo: safe, detail: message };
}
