interface Event {
  name?: string;
}

export async function handler(event: Event) {
  console.log('called with', event);
  return { greeting: `Hello, ${event.name ?? 'world'}!` };
}
