// Parent watchdog, loaded before a server of a run: it ends with the process that started it, however that ended.
process.on('disconnect', () => process.exit())
// But it does not live for that process's sake. A worker is held by its supervisor already.
if (process.env.GUILDHALL_WORKER === undefined) process.channel?.unref()
