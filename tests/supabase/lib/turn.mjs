// Whose turn it is today. All combinations take long, so every day a part of them runs, and after some days all have.
export const ALL = process.env.FIELDPOST_PROJECTS === "all";

/** The day of the year, or FIELDPOST_PROJECTS=<number> to have another day's part. */
export const DAY = Number.isInteger(Number(process.env.FIELDPOST_PROJECTS || NaN))
  ? Number(process.env.FIELDPOST_PROJECTS)
  : Math.floor((Date.now() - Date.UTC(new Date().getUTCFullYear(), 0, 0)) / 86_400_000);

/** Today's part of a list of combinations: every `parts`th, another one each day. */
export const turn = (list, parts) => (ALL ? list : list.filter((_, i) => (i + DAY) % parts === 0));
