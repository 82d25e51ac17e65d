/** Resolves in another task: what the page has to do meanwhile comes before. */
export const nextTask = () => new Promise<void>((resolve) => setTimeout(resolve));
