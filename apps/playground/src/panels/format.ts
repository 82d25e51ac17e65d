const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

/** 1234567 as "1.23M", 1234 as "1.23k"; of a unit as "1.23 MFLOP". */
export function shortNumber(value: number, unit = ""): string {
  const short = compact.format(value).replace("K", "k");
  return unit ? short.replace(/\D?$/, (power) => ` ${power}${unit}`) : short;
}

const dates = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** A time in milliseconds as the visitor writes it, to the minute. */
export function when(time: number): string {
  return dates.format(time);
}

/** 75 as "1 min 15 s". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** 13001140 as "13 MB". */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3));
  return `${Number((value / 1000 ** power).toPrecision(3))} ${units[power]}`;
}
