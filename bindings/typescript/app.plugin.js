/**
 * The config plugin of Expo: `"plugins": ["fieldpost"]` in app.json, then `npx expo prebuild`.
 *
 * The turbo module itself is found by autolinking. What is left is what an app cannot do without: the new architecture, the lowest
 * versions of the platforms, and on iOS the mode in which the system may start the app to sync.
 */

const LOWEST = { ios: '15.1', android: 24 };

function properties(contents, key, value) {
  const others = contents.filter((entry) => !(entry.type === 'property' && entry.key === key));
  return [...others, { type: 'property', key, value }];
}

/** Changes of the native projects, apart from Expo so that they can be tested. */
const changes = {
  infoPlist(plist, { backgroundSync = true } = {}) {
    if (!backgroundSync) {
      return plist;
    }
    return { ...plist, UIBackgroundModes: [...new Set([...(plist.UIBackgroundModes ?? []), 'fetch'])] };
  },
  podfile(values) {
    return { ...values, newArchEnabled: 'true', 'ios.deploymentTarget': higher(values['ios.deploymentTarget'], LOWEST.ios) };
  },
  gradle(contents) {
    const lowest = contents.find(({ key }) => key === 'android.minSdkVersion')?.value ?? '0';
    const sdk = String(Math.max(Number(lowest), LOWEST.android));
    return properties(properties(contents, 'newArchEnabled', 'true'), 'android.minSdkVersion', sdk);
  },
};

function higher(one, other) {
  return one !== undefined && Number.parseFloat(one) > Number.parseFloat(other) ? one : other;
}

module.exports = function withFieldpost(config, options) {
  // It is there in every project that runs this file.
  const { withGradleProperties, withInfoPlist, withPodfileProperties } = require('expo/config-plugins');
  config = withInfoPlist(config, (mod) => ({ ...mod, modResults: changes.infoPlist(mod.modResults, options) }));
  config = withPodfileProperties(config, (mod) => ({ ...mod, modResults: changes.podfile(mod.modResults) }));
  return withGradleProperties(config, (mod) => ({ ...mod, modResults: changes.gradle(mod.modResults) }));
};

module.exports.changes = changes;
