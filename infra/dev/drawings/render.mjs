// Reads DOT on standard input and writes SVG to standard output.
import { Graphviz } from "@hpcc-js/wasm-graphviz";
import { readFileSync } from "node:fs";

const graphviz = await Graphviz.load();
process.stdout.write(graphviz.dot(readFileSync(0, "utf8")));
