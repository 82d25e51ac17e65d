import { singleFile } from "../../tsup.base";

export default singleFile({ webmoe: "src/index.ts" });
