#!/usr/bin/env node
// Starts the program in the package for this platform, which npm installs as an optional dependency.
"use strict";

const { spawnSync } = require("node:child_process");
const { constants } = require("node:os");

const platform = `${process.platform}-${process.arch}`;
let program;
try {
  program = require.resolve(`@stanch/${platform}/bin/stanch`);
} catch {
  console.error(
    `stanch: error: the package @stanch/${platform} is not installed: nothing was scanned.\n` +
      "Either there is none for this platform, or optional dependencies were left out.",
  );
  process.exit(2);
}

const result = spawnSync(program, process.argv.slice(2), { stdio: "inherit" });
if (result.error) {
  console.error(`stanch: error: cannot start ${program}: ${result.error.message}`);
  process.exit(2);
}
// Ended by a signal: as a shell would say it.
process.exit(result.status ?? 128 + (constants.signals[result.signal] ?? 0));
