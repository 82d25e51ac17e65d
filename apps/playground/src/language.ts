// Chromium started under LANG=C calls its language "en-US@posix", which Intl, and with it uPlot, refuses when it is
// loaded: such a browser speaks English here. Imported before anything that asks.

try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, "language", { value: "en-US" });
}

export {};
