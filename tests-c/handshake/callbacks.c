#include "harness.h"
const Scenario callback_scenarios[] = {{NULL, NULL, 0}};
