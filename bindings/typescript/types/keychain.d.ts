/** As much of other packages as the howto uses: they are not installed here. */

declare module 'expo-secure-store' {
  export const AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY: number;
  interface Options {
    keychainAccessible?: number;
  }
  export function getItemAsync(key: string, options?: Options): Promise<string | null>;
  export function setItemAsync(key: string, value: string, options?: Options): Promise<void>;
  export function deleteItemAsync(key: string, options?: Options): Promise<void>;
}

declare module 'react-native-keychain' {
  export enum ACCESSIBLE {
    AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY = 'AccessibleAfterFirstUnlockThisDeviceOnly',
  }
  interface Options {
    service: string;
    accessible?: ACCESSIBLE;
  }
  export function getGenericPassword(options: Options): Promise<false | { password: string }>;
  export function setGenericPassword(username: string, password: string, options: Options): Promise<unknown>;
  export function resetGenericPassword(options: Options): Promise<boolean>;
}

declare module '@supabase/supabase-js' {
  interface Session {
    access_token: string;
    user: { id: string };
  }
  interface Answer {
    data: { session: Session | null };
    error: Error | null;
  }
  export interface SupabaseClient {
    auth: { getSession(): Promise<Answer>; refreshSession(): Promise<Answer> };
  }
}
