/** Opens the client, and closes and opens its file as the app goes to the background and comes back. */

import { Client, type SecretStore } from 'fieldpost';
import { useEffect, useState, type ReactElement } from 'react';
import { AppState, Text } from 'react-native';

import { App } from './App';
import { Lifecycle } from './lifecycle';

/** What the native side of the app passes as initial properties. */
export interface MainProps {
  /** A file in the documents folder of the app. */
  database: string;
  url: string;
  anonKey: string;
  /** Where tokens lie; see docs/howto/react-native.md for one on expo-secure-store. */
  secrets?: SecretStore;
}

export function Main({ database, url, anonKey, secrets }: MainProps): ReactElement {
  const [client, setClient] = useState<Client>();
  const [wrong, setWrong] = useState<string>();
  const failed = (error: Error): void => setWrong(error.message);

  useEffect(() => {
    // In strict mode, and when the properties change, this screen has gone on before the client is open.
    let left = false;
    const opening = Client.open({ database, url, anonKey, secrets });
    const begin = async (): Promise<void> => {
      const opened = await opening;
      if (!left) {
        await opened.start();
      }
      if (!left) {
        setClient(opened);
      }
    };
    begin().catch((error: Error) => left || failed(error));
    return () => {
      left = true;
      setClient(undefined);
      opening.then((opened) => opened.shutdown()).catch(() => undefined);
    };
  }, [database, url, anonKey, secrets]);

  useEffect(() => {
    if (client === undefined) {
      return undefined;
    }
    const lifecycle = new Lifecycle(client, failed);
    const states = AppState.addEventListener('change', (state) => lifecycle.become(state));
    return () => states.remove();
  }, [client]);

  if (client === undefined) {
    return <Text>{wrong ?? 'Opening …'}</Text>;
  }
  return <App client={client} />;
}
