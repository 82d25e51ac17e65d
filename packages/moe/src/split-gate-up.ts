import { constant, map, reshape, sum, type Tensor, tokenOfAssignment } from "@webmoe/tensor";

/** Gate and up [E, hidden, D] of experts' weights [E, 2, hidden, D], for references in tests. */
export function splitGateUp(gateUp: Tensor): [gate: Tensor, up: Tensor] {
  const [experts, , hidden, dim] = gateUp.shape as [number, number, number, number];
  const place = reshape(tokenOfAssignment(constant(gateUp.trace, [2], 0), 1), [2, 1, 1]); // 0, 1
  const half = (wanted: number) => {
    const kept = map("half", [gateUp, place], (weight, place) => place.sub(wanted).abs().less(0.5).mul(weight));
    return reshape(sum(kept, 1, 2), [experts, hidden, dim]);
  };
  return [half(0), half(1)];
}
