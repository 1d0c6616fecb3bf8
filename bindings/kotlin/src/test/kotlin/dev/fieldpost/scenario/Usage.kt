package dev.fieldpost.scenario

import com.sun.jna.Function
import com.sun.jna.NativeLong
import java.io.File
import java.lang.management.ManagementFactory

/**
 * Threads and memory of this process: what is used of the heap, and what the process has beside the heap. The heap itself is only
 * room.
 */
internal class Usage private constructor(private val threads: Long, private val kib: Long) {
    fun grownSince(before: Usage) = mapOf("threads_grown" to threads - before.threads, "memory_grown_kib" to kib - before.kib)

    private fun isClearlyLessThan(other: Usage) = threads < other.threads || kib < other.kib - NOISE_KIB

    private fun least(other: Usage) = Usage(minOf(threads, other.threads), minOf(kib, other.kib))

    companion object {
        private const val NOISE_KIB = 128
        private const val LOOKS = 4
        private const val MOST_LOOKS = 60

        /** Gives free memory of the C library back to the system. It is not part of every C library. */
        private val trim = runCatching { Function.getFunction("c", "malloc_trim") }.getOrNull()

        /**
         * What remains. Other threads free what was let go of, and end when they have nothing to do, on a busy machine later: this looks until
         * it has not become less for a while. What grows without bound does not become less by waiting.
         */
        fun settled(): Usage {
            var (usage, unchanged) = look() to 0
            repeat(MOST_LOOKS) {
                val now = look()
                unchanged = if (now.isClearlyLessThan(usage)) 0 else unchanged + 1
                usage = usage.least(now)
                if (unchanged == LOOKS) return usage
            }
            return usage
        }

        private fun look(): Usage {
            // What was forgotten is freed by a thread of the JVM after the first, and leaves the heap with the second.
            repeat(3) {
                System.gc()
                Thread.sleep(50)
            }
            trim?.invokeInt(arrayOf(NativeLong(0)))
            val heap = ManagementFactory.getMemoryMXBean().heapMemoryUsage
            val status = File("/proc/self/status").takeIf { it.exists() }?.readLines().orEmpty().associate {
                it.substringBefore(':') to it.substringAfter(':').trim().substringBefore(' ')
            }
            val threads = status["Threads"]?.toLong() ?: Thread.activeCount().toLong()
            val resident = status["VmRSS"]?.toLong()?.let { it - heap.committed / 1024 } ?: 0
            return Usage(threads, resident + heap.used / 1024)
        }
    }
}
