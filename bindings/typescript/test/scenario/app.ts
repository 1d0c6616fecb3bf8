/** What an app brings: tokens, a keychain. */

import { SecretFailure, TokenError, type SecretStore, type SessionToken, type TokenProvider, type PersonId } from 'fieldpost';

interface Session {
  access_token: string;
  user: { id: PersonId };
}

/** What GoTrue answers to a password. */
export async function passwordSession(url: string, key: string, email: string, password: string): Promise<Session> {
  const answer = await fetch(`${url}/auth/v1/token?grant_type=password`, {
    method: 'POST',
    body: JSON.stringify({ email, password }),
    headers: { apikey: key, 'content-type': 'application/json' },
  });
  return (await answer.json()) as Session;
}

/** A session that the app owns. */
export class Provider implements TokenProvider {
  asked = 0;
  refused = 0;

  constructor(
    private readonly session: Session,
    public then: string,
  ) {}

  async token(refused: string | undefined): Promise<SessionToken> {
    this.asked += 1;
    if (this.then === 'signed_out') {
      throw new TokenError.SignedOut();
    }
    if (this.then === 'throws') {
      throw new Error('the app has a fault');
    }
    if (this.then === 'never') {
      await new Promise(() => undefined);
    }
    if (refused !== undefined) {
      this.refused += 1;
      this.then = 'token';
    }
    let token = this.session.access_token;
    if (this.then === 'refused') {
      // The right claims, and a signature that the server does not know.
      token = token.slice(0, -4) + (token.endsWith('AAAA') ? 'BBBB' : 'AAAA');
    }
    return { personId: this.session.user.id, accessToken: token };
  }
}

/** A keychain in memory. */
export class Keychain implements SecretStore {
  readonly secrets = new Map<string, string>();
  then = 'open';

  private check(): void {
    if (this.then === 'locked') {
      throw new SecretFailure.Unavailable({ reason: 'the device is locked' });
    }
  }

  async get(name: string): Promise<string | undefined> {
    this.check();
    return this.secrets.get(name);
  }

  async put(name: string, secret: string): Promise<void> {
    this.check();
    this.secrets.set(name, secret);
  }

  async remove(name: string): Promise<void> {
    this.check();
    this.secrets.delete(name);
  }
}
