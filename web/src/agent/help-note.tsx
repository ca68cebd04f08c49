/** What is wrong on this side of the wire, and what the person at the screen can do. */
export function HelpNote(props: { message: string; fix: string }) {
  return (
    <div role="alert" className="rounded-xl border border-bad bg-bad-soft p-3 text-sm">
      <p className="font-semibold text-bad">{props.message}</p>
      <p className="mt-1">
        <span className="font-semibold">Fix: </span>
        {props.fix}
      </p>
    </div>
  );
}
