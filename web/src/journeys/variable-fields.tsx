import { systemClock } from '../../../src/platform/clock.ts';
import type { JourneyDocument } from '../api/journey-hooks.ts';
import { TextField } from '../ui/field.tsx';

/** What a journey is to be started with, with a usable text for each instant. */
export function firstVariables({ variables = {} }: JourneyDocument): Record<string, string> {
  const tomorrow = new Date(systemClock.now() + 26 * 3_600_000).toISOString().slice(0, 16);
  return Object.fromEntries(
    Object.entries(variables).map(([name, { type, default: usual }]) => [
      name,
      usual ?? (type === 'instant' ? `${tomorrow}:00Z` : ''),
    ]),
  );
}

/** What is left empty and has a default is not sent. */
export function givenVariables(
  { variables = {} }: JourneyDocument,
  texts: Readonly<Record<string, string>>,
): Record<string, string> {
  const given = Object.entries(texts).filter(
    ([name, text]) => text !== '' || variables[name]?.default === undefined,
  );
  return Object.fromEntries(given);
}

/** One field per variable that a journey declares. */
export function VariableFields(props: {
  journey: JourneyDocument;
  texts: Readonly<Record<string, string>>;
  onChange: (texts: Record<string, string>) => void;
}) {
  const { texts, onChange } = props;
  return Object.entries(props.journey.variables ?? {}).map(([name, { about, default: usual }]) => (
    <TextField
      key={name}
      label={name}
      value={texts[name] ?? ''}
      maxLength={200}
      required={usual === undefined}
      {...(about === undefined ? {} : { hint: about })}
      onChange={(text) => onChange({ ...texts, [name]: text })}
    />
  ));
}
