#!/usr/bin/env node
// Starts the command line; on a Node that is too old it says so. Plain JavaScript, so that an old Node can read it.

var least = [22, 18]
var version = process.versions.node.split('.').map(Number)
var tooOld = version[0] < least[0] || (version[0] === least[0] && version[1] < least[1])

if (tooOld) {
  console.error(
    `Guildhall needs Node ${least.join('.')} or newer, this is Node ${process.versions.node}: \`npm install -D node@24\` gives your project one of its own, which its npm scripts run.`,
  )
  process.exitCode = 1
} else {
  import('./start.js')
}
