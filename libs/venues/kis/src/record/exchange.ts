/** The `exchange` of every event. */
export const EXCHANGE = 'kis';
