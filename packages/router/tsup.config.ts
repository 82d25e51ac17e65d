import { library } from "../../tsup.base";

export default library(["src/index.ts", "src/check-router.ts", "src/testing.ts"]);
