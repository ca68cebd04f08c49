import { useState } from 'react';
import { useCallButton, useMessage, type ButtonWish } from '../api/business-hooks.ts';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { inWords } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';
import { TextArea } from '../ui/text-area.tsx';
import { CopyCurl } from './copy-curl.tsx';

const LASTS = [
  ['60', 'an hour'],
  ['1440', 'a day'],
  ['10080', 'a week'],
] as const;
type Lasts = (typeof LASTS)[number][0];

/** Instead of calling: the customer is given a button, and calls when it suits them. */
export function CallButtonCard(props: {
  to: string;
  lineId: string;
  name: string;
  purpose: string;
}) {
  const { to, lineId, name, purpose } = props;
  const [way, setWay] = useState<'template' | 'text'>('template');
  const [text, setText] = useState('');
  const [label, setLabel] = useState('Call now');
  const [lasts, setLasts] = useState<Lasts>('1440');
  const send = useCallButton();
  const message = useMessage(send.data?.id ?? null).data;
  const wish: ButtonWish = {
    to,
    name: name.trim(),
    lineId,
    ttlMinutes: Number(lasts),
    ...(way === 'text'
      ? { text: text.trim(), label: label.trim() }
      : { template: 'call_invitation', variables: [name.trim(), purpose.trim()] }),
  };
  const isReady = wish.name !== '' && (way === 'template' || wish.text !== '');
  return (
    <details className="rounded-2xl border border-edge bg-card p-4 shadow-sm">
      <summary className="text-base font-bold">Or let the customer call you</summary>
      <form
        className="mt-3 flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady) send.mutate(wish);
        }}
      >
        <p className="text-sm text-muted">
          A message with a button needs no permission to call, and works where businesses may not
          call. Whoever said stop gets none.
        </p>
        <div className="grid gap-3 sm:grid-cols-2">
          <SelectField
            label="What they read"
            value={way}
            options={[
              ['template', 'The template call_invitation, with name and reason above'],
              ['text', 'Your own words, within 24 hours of their last message'],
            ]}
            onChange={setWay}
          />
          <SelectField
            label="The button works for"
            value={lasts}
            options={LASTS}
            onChange={setLasts}
          />
        </div>
        {way === 'text' && (
          <>
            <TextArea
              label="Your words"
              value={text}
              rows={3}
              maxLength={1_024}
              onChange={setText}
            />
            <TextField
              label="On the button"
              value={label}
              required
              maxLength={20}
              onChange={setLabel}
            />
          </>
        )}
        <div className="flex flex-wrap items-start gap-2">
          <Button type="submit" blocked={!isReady} disabled={send.isPending}>
            Send the button
          </Button>
          <CopyCurl what="send a call button" path="/v1/call-buttons" body={wish} />
        </div>
        {send.error !== null && <ProblemNote error={send.error} />}
        <p role="status" className="text-sm">
          {message !== undefined && `The message: ${inWords(message.status).toLowerCase()}.`}
          {message !== undefined && message.error !== null && (
            <span className="text-bad">
              {' '}
              {message.error.message} <strong>{message.error.fix}</strong>
            </span>
          )}
        </p>
      </form>
    </details>
  );
}
