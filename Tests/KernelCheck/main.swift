import Traffic

KernelCheck.main()
