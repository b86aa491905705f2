import { conformance } from "./command.js";

async function main(): Promise<void> {
  process.exitCode = await conformance(process.argv.slice(2), process.env, (line) => {
    console.log(line);
  });
}

void main();
