/** A bug: something that cannot be was seen. It ends this unit of work loudly, never quietly. */
export class Bug extends Error {
  override readonly name = 'Bug';
}

export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Bug(message);
}

/** For the `default` branch of a switch that must be exhaustive. */
export function unreachable(value: never): never {
  throw new Bug(`unreachable: ${JSON.stringify(value)}`);
}
