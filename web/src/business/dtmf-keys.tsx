import { useState } from 'react';

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'] as const;
const SPOKEN: Partial<Record<string, string>> = { '*': 'star', '#': 'hash' };

/** Keys for the customer's ear; digits typed while one of them has the focus work too. */
export function DtmfKeys(props: { onDigit: (digit: string) => void }) {
  const [sent, setSent] = useState('');
  const press = (digit: string): void => {
    setSent((before) => (before + digit).slice(-16));
    props.onDigit(digit);
  };
  return (
    <div
      role="group"
      aria-label="Keys to the customer"
      className="w-fit rounded-xl bg-card p-3"
      onKeyDown={(event) => {
        if (/^[0-9*#]$/.test(event.key)) press(event.key);
      }}
    >
      <p aria-live="polite" className="h-6 font-mono text-sm tracking-widest">
        <span className="sr-only">Keys sent: </span>
        {sent}
      </p>
      <div className="grid grid-cols-3 gap-1.5">
        {KEYS.map((digit) => (
          <button
            key={digit}
            type="button"
            aria-label={SPOKEN[digit] ?? digit}
            onClick={() => press(digit)}
            className={
              'h-10 w-14 rounded-lg border border-edge-strong bg-card text-lg font-semibold ' +
              'transition hover:bg-sunk'
            }
          >
            {digit}
          </button>
        ))}
      </div>
    </div>
  );
}
