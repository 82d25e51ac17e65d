export { createRun, latestRun, listRuns, openRun, type RunFolder } from "./run-folder";
export { readTensors, writeTensors } from "./tensor-file";
export { writeWhole } from "./whole-file";
