import { usePrices, type PriceTable } from '../api/record-hooks.ts';
import { Card } from '../ui/card.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { daysOf, lastDayOf } from './record-words.ts';

/** The price file as it is used. It is the operator's own: none is built in. */
export function PricesCard() {
  const found = usePrices();
  return (
    <Card title="Prices">
      {found.error !== null && <ProblemNote error={found.error} />}
      {found.isPending && <p className="text-sm text-muted">Loading…</p>}
      {found.data !== undefined && (
        <div className="flex flex-col gap-3 text-sm">
          <p className="rounded-xl bg-warn-soft p-3 text-warn">
            These prices are your own: they stand in a file that you keep, and nobody compares them
            with Meta’s. All costs here are estimates by them. Meta’s bill is Meta’s.
          </p>
          {found.data.prices === null ? <NoPrices /> : <Table prices={found.data.prices} />}
        </div>
      )}
    </Card>
  );
}

function NoPrices() {
  return (
    <p className="text-muted">
      There is no price file, so no cost is estimated. Write one as the page on prices of the
      documents says, and name it in <code className="font-mono">ASKFIRST_PRICE_FILE</code>.
    </p>
  );
}

function Table(props: { prices: PriceTable }) {
  const { prices } = props;
  const { currency, source, calls, messages } = prices;
  const last = lastDayOf(prices);
  return (
    <>
      <p>
        In {currency}, from: <strong>{source}</strong>.
        {last !== null && ` No price is known from ${last} on: bring a newer file in time.`}
      </p>
      <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="Price table">
        <table className="w-full min-w-120 text-left">
          <thead className="text-xs text-muted">
            <tr>
              {['Countries', 'What', 'Price', 'Holds (UTC)'].map((head) => (
                <th key={head} scope="col" className="py-1 pr-3 font-semibold">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {calls.map((rate) => (
              <Row
                key={`call ${rate.countries.join()} ${rate.from}`}
                rate={rate}
                what="A minute of a call"
                price={rate.tiers
                  .map(({ fromMinutes, perMinute }) =>
                    fromMinutes === 0 ? perMinute : `${perMinute} above ${fromMinutes} min a month`,
                  )
                  .join(', ')}
              />
            ))}
            {messages.map((rate) => (
              <Row
                key={`message ${rate.category} ${rate.countries.join()} ${rate.from}`}
                rate={rate}
                what={`A ${rate.category.toLowerCase()} message`}
                price={rate.perMessage}
              />
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Row(props: {
  rate: { countries: string[]; from: string; until: string | null };
  what: string;
  price: string;
}) {
  const { rate, what, price } = props;
  const countries = rate.countries.map((one) => (one === '*' ? 'all others' : one)).join(', ');
  return (
    <tr className="border-t border-edge align-top">
      <th scope="row" className="py-1.5 pr-3 font-semibold">
        {countries}
      </th>
      <td className="py-1.5 pr-3">{what}</td>
      <td className="py-1.5 pr-3 tabular-nums">{price}</td>
      <td className="py-1.5 pr-3">{daysOf(rate)}</td>
    </tr>
  );
}
