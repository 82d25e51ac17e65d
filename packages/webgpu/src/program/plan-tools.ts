import { compileKernel } from "../kernel";
import { ALIGNMENT } from "./alignment";
import { isOwn, writesTo } from "./ranges";
import { usersOf } from "./users";

/** What passes that are loaded on their own (rounding.ts) are handed, as importing it would cut it out of what every page loads. */
export const planTools = { ALIGNMENT, compileKernel, isOwn, usersOf, writesTo };

/** What such a pass is made of. */
export type PlanTools = typeof planTools;
