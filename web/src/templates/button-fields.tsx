import type { DraftWish, TemplateButtonView } from '../api/template-hooks.ts';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { SelectField } from '../ui/select-field.tsx';

type Way = 'native' | 'replies' | 'call';

const FIRST: Record<Way, TemplateButtonView[]> = {
  native: [],
  replies: [
    { kind: 'quick_reply', text: 'Yes, call me', means: 'yes' },
    { kind: 'quick_reply', text: 'No, thanks', means: 'no' },
  ],
  call: [{ kind: 'call', text: 'Call us' }],
};

/** How the customer answers: by WhatsApp's own question, by replies of ours, or by calling. */
export function ButtonFields(props: {
  draft: DraftWish;
  onChange: (part: Pick<DraftWish, 'buttons' | 'nativePermissionRequest'>) => void;
}) {
  const { draft, onChange } = props;
  const { buttons, nativePermissionRequest } = draft;
  const way: Way = nativePermissionRequest
    ? 'native'
    : buttons.some(({ kind }) => kind === 'call')
      ? 'call'
      : 'replies';
  const set = (changed: TemplateButtonView[]): void =>
    onChange({ buttons: changed, nativePermissionRequest: false });
  return (
    <fieldset className="flex min-w-0 flex-col gap-3">
      <legend className="sr-only">How the customer answers</legend>
      <SelectField
        label="The customer answers"
        value={way}
        options={[
          ['native', 'by WhatsApp’s own Allow and Not now'],
          ['replies', 'by buttons of your own; a yes is followed by WhatsApp’s question'],
          ['call', 'by calling you'],
        ]}
        onChange={(wanted) =>
          onChange({ buttons: FIRST[wanted], nativePermissionRequest: wanted === 'native' })
        }
      />
      {way === 'native' && (
        <p className="text-xs text-muted">
          Only WhatsApp’s own buttons give a permission to call; it adds them by itself.
        </p>
      )}
      {buttons.map((button, at) => (
        // A button has nothing that stays but its place.
        <div key={at} className="flex flex-wrap items-end gap-2">
          <TextField
            label={`Button ${at + 1}`}
            value={button.text}
            required
            maxLength={25}
            onChange={(text) =>
              set(buttons.map((one, place) => (place === at ? { ...one, text } : one)))
            }
          />
          {button.kind === 'quick_reply' && (
            <SelectField
              label={`Button ${at + 1} means`}
              value={button.means ?? 'other'}
              options={[
                ['yes', 'Yes'],
                ['no', 'No'],
                ['other', 'Something else'],
              ]}
              onChange={(means) =>
                set(buttons.map((one, place) => (place === at ? { ...one, means } : one)))
              }
            />
          )}
          {buttons.length > 1 && (
            <Button look="quiet" onClick={() => set(buttons.filter((_, place) => place !== at))}>
              Remove<span className="sr-only"> button {at + 1}</span>
            </Button>
          )}
        </div>
      ))}
      {way === 'replies' && buttons.length < 10 && (
        <div>
          <Button
            onClick={() => set([...buttons, { kind: 'quick_reply', text: '', means: 'other' }])}
          >
            Add a button
          </Button>
        </div>
      )}
    </fieldset>
  );
}
