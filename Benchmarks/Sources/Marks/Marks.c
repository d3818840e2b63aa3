#include "Marks.h"
