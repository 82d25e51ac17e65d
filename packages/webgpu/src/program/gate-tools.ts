import { gateActivations, gatedBackward, gatedForward } from "../kernels/gated";
import { groupedMatmul, groupedMatmulGather, rowTile } from "../kernels/grouped-matmul";
import { groupedRowProduct } from "../kernels/grouped-matmul-product";

/** What fuse-gates.ts is handed, for the reason that `planTools` are. */
export const gateTools = {
  gateActivations,
  gatedBackward,
  gatedForward,
  groupedMatmul,
  groupedMatmulGather,
  groupedRowProduct,
  rowTile,
};
