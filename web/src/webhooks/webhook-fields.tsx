import { useEventTypes } from '../api/webhook-hooks.ts';
import { CheckBox } from '../ui/check-box.tsx';
import { TextField } from '../ui/field.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';
import { groupsOf, withGroup, withType } from './event-choice.ts';

/** Where to, and which events: all, whole groups of them, or some by name. */
export function WebhookFields(props: {
  url: string;
  /** Empty: all. */
  eventTypes: readonly string[];
  onUrl: (url: string) => void;
  onEventTypes: (eventTypes: string[]) => void;
}) {
  const { url, eventTypes, onEventTypes } = props;
  const types = useEventTypes();
  const all = types.data?.items ?? [];
  const groups = groupsOf(all);
  return (
    <>
      <TextField
        label="Address"
        type="url"
        value={url}
        required
        maxLength={4_000}
        placeholder="https://example.com/askfirst"
        hint="Events are POSTed there, signed. A public https address, unless the server allows others"
        onChange={props.onUrl}
      />
      {types.error !== null && <ProblemNote error={types.error} />}
      <SelectField
        label="Events"
        value={eventTypes.length === 0 ? 'all' : 'some'}
        options={[
          ['all', 'All, also those of later versions'],
          ['some', 'Only those chosen below'],
        ]}
        onChange={(which) =>
          onEventTypes(which === 'all' ? [] : all.slice(0, 1).map(({ type }) => type))
        }
      />
      {eventTypes.length > 0 && (
        <ul aria-label="Kinds of events" className="flex flex-col gap-1">
          {groups.map(({ name, types: own }) => {
            const taken = own.filter(({ type }) => eventTypes.includes(type)).length;
            return (
              <li key={name} className="rounded-lg border border-edge px-3 py-1">
                <details>
                  <summary className="min-h-9 py-1.5 text-sm font-semibold">
                    {name}{' '}
                    <span className="font-normal text-muted">
                      {taken} of {own.length}
                    </span>
                  </summary>
                  <CheckBox
                    label={`All of ${name}`}
                    checked={taken === own.length}
                    onChange={(wanted) => onEventTypes(withGroup(eventTypes, own, wanted))}
                  />
                  {own.map(({ type, when }) => (
                    <div key={type} className="pb-1">
                      <CheckBox
                        label={type}
                        checked={eventTypes.includes(type)}
                        onChange={(wanted) => onEventTypes(withType(eventTypes, type, wanted))}
                      />
                      <p className="pl-7 text-xs text-muted">{when}</p>
                    </div>
                  ))}
                </details>
              </li>
            );
          })}
        </ul>
      )}
    </>
  );
}
