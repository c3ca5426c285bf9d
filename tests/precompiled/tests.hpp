// Precompiled: what nearly every test begins with (1.5 s for each of 45 files).
#include "../support.hpp"
