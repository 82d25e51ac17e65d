// What a router may import, by name.

import * as nn from "@webmoe/nn";
import * as router from "@webmoe/router";
import * as baselines from "@webmoe/router-baselines";
import * as linear from "@webmoe/router-linear";
import * as recurrent from "@webmoe/router-recurrent";
import * as xmoe from "@webmoe/router-xmoe";
import * as tensor from "@webmoe/tensor";

export const modules: Record<string, object> = {
  "@webmoe/nn": nn,
  "@webmoe/router": router,
  "@webmoe/router-baselines": baselines,
  "@webmoe/router-linear": linear,
  "@webmoe/router-recurrent": recurrent,
  "@webmoe/router-xmoe": xmoe,
  "@webmoe/tensor": tensor,
};
