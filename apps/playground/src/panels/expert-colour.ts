/** Style that gives an element the colour of an expert: neighbours in number are far apart on the wheel. */
export function expertStyle(expert: number | undefined): Record<string, string> {
  if (expert === undefined) return {};
  return { "--hue": ((expert * 137.508 + 200) % 360).toFixed(1) };
}
