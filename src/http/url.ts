// Where our paths are for the world: below the membership's path, and where the host application moved them.

/** Makes the function that every link and redirect of ours goes through. */
export function createUrl(prefix: string, moved: ReadonlyMap<string, string>): (path: string) => string {
  return (path) => {
    const isApi = path.startsWith('/api/')
    const declared = isApi ? path.slice('/api'.length) : path
    return `${prefix}${isApi ? '/api' : ''}${moved.get(declared) ?? declared}`
  }
}
