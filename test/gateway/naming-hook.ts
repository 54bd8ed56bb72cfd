/** An authentication hook that names the player by whatever JSON the ticket is; what is no JSON is a guest. */
export async function authenticate(ticket: string): Promise<unknown> {
  try {
    return { playerId: JSON.parse(ticket) };
  } catch {
    return { guest: true };
  }
}
