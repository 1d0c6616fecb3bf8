/** Opens the client, and closes and opens its file as the app goes to the background and comes back. */

import { Client, type SecretStore } from 'fieldpost';
import { useEffect, useState, type ReactElement } from 'react';
import { AppState, Text } from 'react-native';

import { App } from './App';

/** What the native side of the app passes as initial properties. */
export interface MainProps {
  /** A file in the documents folder of the app. */
  database: string;
  url: string;
  anonKey: string;
  /** Where tokens lie; see docs/howto/react-native.md for one on expo-secure-store. */
  secrets?: SecretStore;
}

/** How long a push may take when the app goes to the background: iOS gives about this much. */
const LAST_PUSH = 5_000;

export function Main(props: MainProps): ReactElement {
  const [client, setClient] = useState<Client>();
  const [wrong, setWrong] = useState<string>();

  useEffect(() => {
    const opening = Client.open(props);
    opening.then(async (opened) => {
      await opened.start();
      setClient(opened);
    }, (error: Error) => setWrong(error.message));
    return () => {
      opening.then((opened) => opened.shutdown(), () => undefined);
    };
  }, [props.database]);

  useEffect(() => {
    if (client === undefined) {
      return undefined;
    }
    const states = AppState.addEventListener('change', (state) => {
      if (state === 'active') {
        void client.resume().then(() => client.foreground());
      } else if (state === 'background') {
        void client.background(LAST_PUSH).finally(() => client.pause());
      }
    });
    return () => states.remove();
  }, [client]);

  if (client === undefined) {
    return <Text>{wrong ?? 'Opening …'}</Text>;
  }
  return <App client={client} />;
}
