// Refuses a Node that is too old. CommonJS, which every Node can load, by `require` and `import`.
{
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 22 || (major === 22 && minor < 18))
    throw new Error(
      `Guildhall needs Node 22.18 or newer, this is Node ${process.versions.node}: \`npm install -D node@24\` gives your project one of its own, which its npm scripts run.`,
    )
}
