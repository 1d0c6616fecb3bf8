// React Native's own preset: its components, its list, its stand-ins for what is native. Fieldpost is the one for Node.
module.exports = {
  preset: 'react-native',
  testMatch: ['<rootDir>/test/**/*.test.tsx'],
  // Only so that a test that hangs says so: on a machine that does much else, ten thousand messages take minutes.
  testTimeout: 900_000,
  moduleNameMapper: {
    '^fieldpost$': '<rootDir>/../dist/index.js',
    '^fieldpost/react$': '<rootDir>/../dist/react/index.js',
  },
  transformIgnorePatterns: ['node_modules/(?!((jest-)?react-native|@react-native(-community)?)/)', '/typescript/dist/'],
};
