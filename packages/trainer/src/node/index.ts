export { createRun, latestRun, openRun, type RunFolder } from "./run-folder";
export { readTensors, writeTensors } from "./tensor-file";
export { writeWhole } from "./whole-file";
