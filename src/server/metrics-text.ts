// The Prometheus text format, as much of it as our own numbers need.

/** The format's own media type. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

// https://prometheus.io/docs/instrumenting/exposition_formats/
export interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly samples: readonly Sample[]
}

export interface Sample {
  /** Added to the name of the family: `_bucket`. */
  readonly suffix: string
  /** Names and values that we chose: nothing needs escaping. */
  readonly labels: Labels
  readonly value: number
}

export type Labels = Readonly<Record<string, string>>

export function writeMetrics(families: readonly Family[], labels: Labels = {}): string {
  return families.map((family) => writeFamily(family, labels)).join('')
}

/** Joins the texts of several processes: the format wants the lines of a family together. */
export function joinMetrics(texts: readonly string[]): string {
  const blocks = texts.flatMap((text) => text.trimEnd().split(/\n{2,}/)).map((block) => block.split('\n'))
  const families = Map.groupBy(blocks, ([, type]) => type).values()
  const joined = [...families].map((same) => [...(same[0]?.slice(0, 2) ?? []), ...same.flatMap((block) => block.slice(2))])
  return joined.map((lines) => `${lines.join('\n')}\n\n`).join('')
}

export function single(value: number, labels: Labels = {}): readonly Sample[] {
  return [{ suffix: '', labels, value }]
}

/** `counts` has one number for each bound and one for all above; the format wants them cumulated. */
export function histogram(labels: Labels, bounds: readonly number[], counts: readonly number[], sum: number): readonly Sample[] {
  let total = 0
  const buckets = counts.map((count, at) => {
    total += count
    return { suffix: '_bucket', labels: { ...labels, le: String(bounds[at] ?? '+Inf') }, value: total }
  })
  return [...buckets, { suffix: '_sum', labels, value: sum }, { suffix: '_count', labels, value: total }]
}

function writeFamily({ name, help, type, samples }: Family, all: Labels): string {
  const lines = samples.map(({ suffix, labels, value }) => `${name}${suffix}${writeLabels({ ...labels, ...all })} ${value}\n`)
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}\n`
}

function writeLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}
