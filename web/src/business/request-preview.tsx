/** The approved template of the strict pack, filled in as WhatsApp will fill it in. */
export function requestText(name: string, purpose: string): string {
  return (
    `Hello ${name || '…'}, we'd like to call you via WhatsApp to discuss ${purpose || '…'}. ` +
    'This will be a free call over data/WiFi. Would you like to allow us to call you?'
  );
}

export function RequestPreview(props: { name: string; purpose: string }) {
  return (
    <figure className="rounded-xl bg-chat p-3">
      <figcaption className="mb-1.5 text-xs font-semibold text-muted">
        What they will see
      </figcaption>
      <div className="max-w-85 overflow-hidden rounded-2xl rounded-bl-md bg-bubble text-sm shadow-sm">
        <p className="px-3 py-2 wrap-break-word whitespace-pre-line">
          {requestText(props.name, props.purpose)}
        </p>
        <p className="border-t border-edge px-3 py-1.5 text-center font-semibold text-muted">
          Allow calls
        </p>
        <p className="border-t border-edge px-3 py-1.5 text-center font-semibold text-muted">
          Not now
        </p>
      </div>
    </figure>
  );
}
