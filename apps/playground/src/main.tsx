import "./language";
import { render } from "preact";
import { App } from "./app";
import "uplot/dist/uPlot.min.css";
import "./styles/index.css";

render(<App />, document.getElementById("app")!);
