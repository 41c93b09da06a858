// The order of the test files: the longest begin first, so that nobody waits for them alone in the end.
import { BaseSequencer, type TestSpecification } from 'vitest/node'

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification) => moduleId.includes('/stress/')
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}
