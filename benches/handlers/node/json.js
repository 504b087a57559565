// JSON of a megabyte, which is there before the call.
const rows = Array.from({ length: 6400 }, (_, i) => ({
  id: i,
  name: `customer ${i % 613}`,
  email: `user${i}@example${i % 7}.com`,
  active: i % 3 === 0,
  balance: (i * 7919) / 128,
  tags: ['a', 'some tag', 'größer'],
  address: { street: `${i} Main "Street"`, zip: null, at: [i / 3, -i] },
}));
const text = JSON.stringify(rows);

const work = {
  parse() {
    const parsed = JSON.parse(text);
    return [parsed.length, parsed[6399].address];
  },
  stringify: () => JSON.stringify(rows).length,
};

export function handler(event) {
  return work[event.work]();
}
