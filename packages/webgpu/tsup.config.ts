import { library } from "../../tsup.base";

export default library(["src/index.ts", "src/node.ts", "src/testing.ts"], { globals: "@webgpu/types" });
