// When an appointment begins that runs late, and why, in words as the page has them: nothing where it begins as booked.

const MINUTE_MILLISECONDS = 60000;

export const expectedWords = (fact, clock) => {
  const late = Number(fact.get("late"));
  const why = fact.get("why") === "emergency" ? ", an emergency came first" : "";
  return late === 0 ? "" : `${clock(Date.parse(fact.get("start")) + late * MINUTE_MILLISECONDS)}${why}`;
};
