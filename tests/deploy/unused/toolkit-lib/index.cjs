// Amplify's packages use its types alone.
