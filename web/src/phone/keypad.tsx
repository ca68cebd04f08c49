/** A letter row as on every phone; it helps people who dial words and costs nothing. */
const KEYS = [
  ['1', ''],
  ['2', 'ABC'],
  ['3', 'DEF'],
  ['4', 'GHI'],
  ['5', 'JKL'],
  ['6', 'MNO'],
  ['7', 'PQRS'],
  ['8', 'TUV'],
  ['9', 'WXYZ'],
  ['*', ''],
  ['0', '+'],
  ['#', ''],
] as const;

const SPOKEN: Partial<Record<string, string>> = { '*': 'star', '#': 'hash' };

/** Twelve keys; typing a digit on the keyboard while one of them has the focus works too. */
export function Keypad(props: { sent: string; onDigit: (digit: string) => void }) {
  return (
    <div
      role="group"
      aria-label="Keypad"
      className="flex flex-col gap-2"
      onKeyDown={(event) => {
        if (/^[0-9*#]$/.test(event.key)) props.onDigit(event.key);
      }}
    >
      <p aria-live="polite" className="h-7 truncate text-center font-mono text-xl tracking-widest">
        <span className="sr-only">Keys pressed: </span>
        {props.sent}
      </p>
      <div className="mx-auto grid grid-cols-3 gap-x-5 gap-y-2">
        {KEYS.map(([digit, letters]) => (
          <button
            key={digit}
            type="button"
            aria-label={SPOKEN[digit] ?? digit}
            onClick={() => props.onDigit(digit)}
            className={
              'flex size-13 flex-col items-center justify-center rounded-full bg-white/15 ' +
              'leading-none transition hover:bg-white/25 focus-visible:outline-white'
            }
          >
            <span className="text-xl">{digit}</span>
            <span aria-hidden className="text-[0.5rem] tracking-widest text-white/80">
              {letters}
            </span>
          </button>
        ))}
      </div>
    </div>
  );
}
